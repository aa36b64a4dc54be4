// Package enroll is who this host is to its manager: it joins by a token, keeps the
// certificate that it gets, shows it, and renews it in time.
//
// Whom the agent trusts is in the token: the hash of the certificate of the manager's
// authority. Nothing is sent before the manager has shown it, and it is kept, so that
// nobody is trusted on first use.
package enroll

import "errors"

// Why a host cannot speak to its manager. Errors that wrap these say what to do.
var (
	ErrNotJoined    = errors.New("this host has not joined")
	ErrExpired      = errors.New("expired")
	ErrOtherManager = errors.New("not the manager of the token")
	ErrRefused      = errors.New("the manager refuses")
	ErrInvalid      = errors.New("invalid")
)
