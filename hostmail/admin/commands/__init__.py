"""The `hostmail` command, noun by noun. Each verb asks the service (`CommandLine.call`) and shows the answer."""
