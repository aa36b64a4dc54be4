// Package keptfile is a file of bbolt that a manager keeps beside the document log. It may be
// damaged, and its file system full: where bbolt fails, panics or faults then, there is an error
// that names the file and says what to do.
package keptfile
