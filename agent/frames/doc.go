// Package frames hears LLDP, CDP and FDP on the wire and keeps who is at the other ends
// of this host's cables. It wakes for those frames alone, and when a neighbor was
// not heard for as long as it said itself.
//
// neighbors.go is the table, free of I/O; frames.go feeds it from the sockets.
package frames
