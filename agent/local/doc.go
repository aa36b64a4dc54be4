// Package local turns what the kernel says of Unix-domain sockets into documents: who
// listens on which path or abstract name, and who is a client of it.
//
// The kernel tells of attempts as they are made. Nothing tells of a socket that begins to
// listen: it is learnt when somebody dials it, and when somebody asks (Refresh). No timer
// runs here but the one that puts off a walk which would come too soon after another.
//
// sockets.go, targets.go and edges.go are the tables, free of I/O; places.go finds what a
// path means in another process's eyes; local.go feeds them from the kernel.
package local
