// Package enroll says who may speak to the manager: it is the certificate authority of
// agents, the keeper of tokens for joining and for people and programs, and of what was
// revoked.
//
// An agent is known by a certificate for cassini://agent/HOST, a person or a program by
// a token with a role. A certificate counts while it stands in the record of its host:
// revoking takes it out, and a lost file lets nobody in rather than everybody.
//
// Tokens, records and certificates are values whose rules take the time as a value;
// Authority keeps them in a bbolt file of the data directory and is safe for concurrent
// use.
package enroll

import (
	"errors"

	"cassini/manager/keptfile"
)

// What is wrong with who asks. Errors that wrap these say what to do.
var (
	ErrUnknown   = errors.New("not known here")
	ErrExpired   = errors.New("expired")
	ErrUsedUp    = errors.New("used up")
	ErrRevoked   = errors.New("revoked")
	ErrForbidden = errors.New("not allowed")
)

// What is wrong with what was asked for.
var (
	ErrInvalid = errors.New("invalid")
	ErrTaken   = errors.New("the host has a certificate already")
	ErrFull    = errors.New("no room")
)

// ErrDamaged says that a file of the authority cannot be used.
var ErrDamaged = keptfile.ErrDamaged
