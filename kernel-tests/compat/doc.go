// Package compat runs agents and managers of two versions against each other: that of the
// working tree and an older one, which it builds of the repository's history.
package compat
