// Durability.swift — how far a commit has to get before its call returns.

/// How far a commit has to get before its call returns.
public enum Durability: Sendable, Hashable {
    /// In the operating system's hands: survives the death of the process (SIGKILL). A power cut or a crash of the
    /// operating system may lose the last sync interval (one second by default).
    case buffered

    /// On the device: survives a power cut. One `fdatasync` serves everyone who waits at the time.
    case synced
}
