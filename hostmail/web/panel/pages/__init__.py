"""The pages, a file for each noun: what they ask `IAdmin`, and what they show of the answer."""
