// Package manager is what runs once for the estate: it keeps what agents tell in
// the document log, derives the graph from the log, and answers questions about
// both over HTTP.
package manager
