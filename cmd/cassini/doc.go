// Command cassini is the one binary of Cassini: the server side (run, agent,
// manager) and the clients that ask it (services, deps, graph, events, ...).
//
// Each command has a file of its own. root.go assembles them, settings.go gives
// every setting its value, errors.go turns an error into an exit code.
package main
