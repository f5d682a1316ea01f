"""The command line as ``python -m headmotion``, for programs that start modules, such as torchrun."""

from .cli import main

if __name__ == "__main__":
    main()
