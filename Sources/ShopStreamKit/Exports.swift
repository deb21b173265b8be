// A program that imports ShopStreamKit speaks to the engines too, without naming their modules.
@_exported public import CacheEngine
@_exported public import DocumentEngine
@_exported public import EventPipeline
@_exported public import GraphEngine
@_exported public import StorageCore
@_exported public import StorageTypes
@_exported public import TableEngine
@_exported public import WideColumnEngine
