extension CacheStore {
    func writeThrough() throws(CacheError) {}
}
