// PurchaseLog+CSV.swift — invoices as CSV (RFC 4180), plain or compressed by zstd.

internal import ArgumentParser
internal import CZstd
internal import ShopStreamKit

extension PurchaseLog {
    /// Reads the purchases in a file: lines with a customer, without cancellations (an invoice number that starts with C).
    /// - Throws: `ValidationError` that names the line.
    static func read(_ path: String) throws -> PurchaseLog {
        var bytes = try POSIXFileSystem().readAll(path)
        if path.hasSuffix(".zst") { bytes = try decompress(bytes, path) }
        var log = PurchaseLog(origin: "replayed from \(path)")
        var columns: [String: Int]?
        var lines: [String: Int] = [:]
        var reader = CSVReader(bytes)
        while let row = reader.next() {
            guard let known = columns else {
                columns = try columnIndex(row, path)
                continue
            }
            try log.add(row, known, &lines, path, reader.line)
        }
        guard !log.purchases.isEmpty else { throw ValidationError("\(path) holds no purchases.") }
        return log
    }

    private static let neededColumns = ["InvoiceNo", "StockCode", "Description", "Quantity", "UnitPrice", "CustomerID"]

    private static func columnIndex(_ header: [String], _ path: String) throws -> [String: Int] {
        let index = Dictionary(header.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let missing = neededColumns.filter { index[$0] == nil }
        guard missing.isEmpty else {
            throw ValidationError("\(path) lacks the columns \(missing.joined(separator: ", ")).")
        }
        return index
    }

    private mutating func add(
        _ row: [String], _ columns: [String: Int], _ lines: inout [String: Int], _ path: String, _ line: Int
    ) throws {
        func field(_ name: String) -> String {
            guard let index = columns[name], index < row.count else { return "" }
            return row[index]
        }
        let invoice = field("InvoiceNo")
        let customer = field("CustomerID")
        guard !customer.isEmpty, !invoice.hasPrefix("C") else { return }
        guard let quantity = Int(field("Quantity")), let price = Double(field("UnitPrice")), price.isFinite,
            price.magnitude < 1e9, quantity.magnitude < 1_000_000
        else { throw ValidationError("\(path), line \(line): quantity and price must be numbers.") }
        lines[invoice, default: 0] += 1
        add(
            customer: "cust_" + (customer.hasSuffix(".0") ? String(customer.dropLast(2)) : customer),
            product: field("StockCode"), title: field("Description"),
            amountCents: Int((price * Double(quantity) * 100).rounded()),
            orderID: "\(invoice)-\(lines[invoice] ?? 0)")
    }

    private static func decompress(_ bytes: [UInt8], _ path: String) throws -> [UInt8] {
        guard let stream = unsafe ZSTD_createDStream() else { throw ValidationError("There is no memory for zstd.") }
        defer { unsafe ZSTD_freeDStream(stream) }
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
        try unsafe bytes.withUnsafeBytes { source in
            var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
            while unsafe input.pos < input.size {
                let written = try unsafe chunk.withUnsafeMutableBytes { target in
                    var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                    let status = unsafe ZSTD_decompressStream(stream, &output, &input)
                    guard ZSTD_isError(status) == 0 else { throw ValidationError("\(path) is not valid zstd.") }
                    return unsafe output.pos
                }
                result += chunk[..<written]
            }
        }
        return result
    }
}

/// Rows of a CSV text; quoted fields may hold commas, line feeds and doubled quotes.
struct CSVReader {
    private let bytes: [UInt8]
    private var position = 0
    /// The line on which the last row began, from 1.
    private(set) var line = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The next row; nil at the end.
    mutating func next() -> [String]? {
        guard position < bytes.count else { return nil }
        line += 1
        var row: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if isQuoted {
                if byte != UInt8(ascii: "\"") {
                    field.append(byte)
                } else if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                    field.append(byte)
                    position += 1
                } else {
                    isQuoted = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isQuoted = true
            case UInt8(ascii: ","):
                row.append(String(decoding: field, as: UTF8.self))
                field.removeAll(keepingCapacity: true)
            case UInt8(ascii: "\r"): break
            case UInt8(ascii: "\n"):
                row.append(String(decoding: field, as: UTF8.self))
                return row
            default: field.append(byte)
            }
        }
        row.append(String(decoding: field, as: UTF8.self))
        return row
    }
}
