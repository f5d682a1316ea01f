"""Goals of speed and memory: one function measures each; the results make a section of docs/performance.md."""
