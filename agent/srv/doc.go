// Package srv finds the manager by DNS: SRV records (RFC 2782) of
// _cassini._tcp.DOMAIN say where it is. For the domain local it asks the networks of this
// host by multicast DNS.
//
// What DNS says is believed of where, never of who: a connection counts only when its
// other end shows a certificate that the caller's check takes for the name of the target.
// A forged answer can keep an agent from its manager, and no more.
package srv

import "errors"

// Why there is no way to a manager. Errors that wrap these say what was asked and what came.
var (
	ErrInvalid    = errors.New("invalid")
	ErrNotOffered = errors.New("there is no manager for this domain, says DNS by the target \".\"")
	ErrNoTarget   = errors.New("no usable target")
)
