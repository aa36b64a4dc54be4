// Package frametest has discovery frames for tests: built by hand from the
// standards, hostile ones, and those of captures that lie beside the repository.
package frametest
