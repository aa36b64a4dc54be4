// Package names hears by which names this host's programs ask for the addresses that they
// are clients of: answers of the name servers that this host uses, as they come in
// (socket), decoded (answer). It sends nothing and asks nobody. What it hears is what
// somebody was told, which is not who an address belongs to.
//
// memory.go is what is remembered, free of I/O; spaces.go which name servers are listened
// to in each network namespace; names.go feeds one from the other.
package names
