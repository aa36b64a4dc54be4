// Command livenessbench compares Cassini's liveness with hashicorp/memberlist on this
// machine in one run: real processes, one a host, in an estate of network namespaces.
//
//	main -> estate -> { cassini: agents and a manager } -> load, crashes, frozen, spacing -> tables
//	                  { memberlist: this program again, as a node }
//
// It needs root, and it raises the limits of the kernel's table of neighbors while it
// runs: they are one for all namespaces, and a machine's usual ones are too low for so
// many hosts.
package main
