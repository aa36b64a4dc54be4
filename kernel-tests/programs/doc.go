// Package programs tests the cassini binary on this host against programs that
// people run: nginx, PostgreSQL, curl, psql.
package programs
