// Package rings tests liveness with real processes, sockets and links: an estate of
// network namespaces, an agent in each host, a manager, and faults.
package rings
