// Package containers finds the names of containers: their own, of their image, of the
// pod that they are in. It asks once, when the first process of a container is seen, and
// keeps the answer; nothing is polled. Sources are the runtime's socket (engine) or its
// files (files); no tool is run. Whoever reports a process never waits.
//
// containers.go is the loop that asks, table.go what is known, free of I/O.
package containers
