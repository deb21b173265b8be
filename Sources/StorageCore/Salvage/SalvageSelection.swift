// SalvageSelection.swift — which tables count, where no manifest says so.
//
// A compaction's inputs are removed only after the manifest lists its outputs. So of the tables in the directory
// - the inputs of a compaction that finished hold nothing that its outputs don't, except what was to go: taking them too
//   would bring deleted entries back and apply merge operands twice;
// - the outputs of one that did not finish hold nothing that its inputs don't.
// A compaction finished if all its outputs are there, or the manifest lists one of them, or one of them is an input of
// another compaction, or one of its inputs is gone that the manifest does not list.

struct SalvageSelection {
    /// What a table that is there says of itself; nil where its origin can't be read.
    let origins: [UInt64: TableOrigin?]
    /// The tables that a manifest listed which may be out of date.
    let listed: Set<UInt64>

    /// The tables that count, and those that others have taken the place of, whether or not these are there.
    func judge() -> (live: Set<UInt64>, replaced: Set<UInt64>) {
        let present = Set(origins.keys)
        var groups: [UInt64: [(number: UInt64, origin: TableOrigin)]] = [:]
        var installed: Set<UInt64> = []
        for (number, origin) in origins {
            guard let origin, !origin.inputs.isEmpty else { continue }
            groups[origin.group, default: []].append((number, origin))
            installed.formUnion(origin.inputs)
        }
        var dead: Set<UInt64> = []
        for outputs in groups.values {
            let inputs = Set(outputs.flatMap(\.origin.inputs))
            let isFinished =
                isWhole(outputs.map(\.origin))
                || outputs.contains { installed.contains($0.number) || listed.contains($0.number) }
                || !inputs.isSubset(of: present.union(listed))
            dead.formUnion(isFinished ? inputs : Set(outputs.map(\.number)))
        }
        return (present.subtracting(dead), dead)
    }

    private func isWhole(_ origins: [TableOrigin]) -> Bool {
        let positions = Set(origins.map(\.position))
        guard let last = origins.first(where: \.isLast) else { return false }
        return positions.isSuperset(of: 0...max(last.position, 0))
    }
}
