"""Running the appliance: `service` is what can be asked for, `control` the socket, `client` and `commands` the `hostmail` command."""
