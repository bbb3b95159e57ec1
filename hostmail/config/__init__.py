"""The configuration: `schema` has every key, `loader` reads a file, `units` knows sizes and durations, `template` the example file."""
