@_exported public import StorageTypes
