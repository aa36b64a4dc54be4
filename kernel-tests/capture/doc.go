// Package capture tests the capture of sockets on the running kernel, with real
// programs loaded and real connections made. Built with `go test -c` it is one
// static binary that runs the same tests in a virtual machine.
package capture
