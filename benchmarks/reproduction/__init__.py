"""The proof: experiments on the claims of MS-Sync, trained, measured and written down by one command."""
