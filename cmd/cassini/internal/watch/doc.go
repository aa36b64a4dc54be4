// Package watch is the state behind `cassini watch`: pictures, events and keys go in,
// frames of text come out. It does no input or output and reads no clock: every time
// is handed in. A Model belongs to one goroutine.
package watch
