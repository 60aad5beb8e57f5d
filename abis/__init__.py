"""What contracts log and answer: ABI entries that declarations use, a folder per protocol."""
