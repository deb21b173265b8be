// The storage vocabulary (errors, durability, instants) and the storage itself come with every engine.
@_exported public import StorageCore
@_exported public import StorageTypes
