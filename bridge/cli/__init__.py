"""The command line: options in, one result on stdout, everything else on stderr."""
