"""The work that users wait for, by this tree and by an earlier commit: a section of docs/performance.md."""
