// Package capture turns what the kernel says of sockets into documents: who
// listens, and who is client of whom. It hears of changes by events; counters
// stay in the kernel until somebody asks (Refresh). No timer runs here.
//
// listeners.go and edges.go are the two tables, free of I/O; capture.go feeds
// them from the kernel.
package capture
