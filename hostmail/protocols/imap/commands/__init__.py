"""The commands, a file each; `table` lists them."""
