// Package guests bounds the connections and requests of those who have not shown who they are. TLS lets
// everybody connect, and what a connection costs nobody has to prove anything for: some 45 KiB
// and a file descriptor. A connection is a guest's until a request on it was let in.
package guests
