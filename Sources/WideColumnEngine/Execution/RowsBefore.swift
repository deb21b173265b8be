// RowsBefore.swift — rows as they were before a batch, for those of its members that look into them.

/// Rows that were read before the first member of a batch has written anything.
struct RowsBefore {
    struct Partition: Hashable {
        var table: TableIdentifier
        /// Token and partition key.
        var prefix: [UInt8]
    }

    /// A row, and which of its columns are read.
    struct Place: Hashable {
        var partition: Partition
        /// `nil`: the static row.
        var clustering: [UInt8]?
        var columns: Set<UInt16>
    }

    private var rows: [Place: RowContext] = [:]

    var isEmpty: Bool { rows.isEmpty }

    subscript(place: Place) -> RowContext? {
        get { rows[place] }
        set { rows[place] = newValue }
    }
}
