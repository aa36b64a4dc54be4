// Package users knows people by names and passwords, from a file that has hashes by bcrypt in
// the form of the Prometheus exporter-toolkit's web configuration, and beside them roles.
//
// It takes the same time for a name that there is as for another. Hashes are made to cost:
// passwords that were right are remembered in memory, a bounded number is tried at a time,
// and an address that gives wrong ones has to wait.
package users

import "errors"

// What is wrong with who asks. ErrWrong does not tell a wrong name from a wrong password.
var (
	ErrWrong = errors.New("the name or the password is wrong")
	ErrBusy  = errors.New("too many passwords were tried; wait a moment")
)
