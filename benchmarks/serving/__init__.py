"""How many live sessions a server keeps up with, how long frames take, and what bad clients do to the others.

The server is ``headmotion serve`` in a process of its own, with one thread for the model; clients are in this process.
Samples are pushed 40 ms at a time, in real time, and each session begins at another moment. Sessions that come and go
last five seconds each. The delay of a frame is the time from the push of the samples that complete it to its arrival at
the client, beyond the look-ahead; it includes both ways through the loopback and the client's own time.
"""
