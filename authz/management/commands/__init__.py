"""One file per command; each calls one verb or starts one process."""
