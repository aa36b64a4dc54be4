// Package wire is the format of the datagrams that ring members exchange. Every one
// begins with the same 40 bytes, which end in a tag that the kernel's program checks
// too (bpf/heartbeat.c): a heartbeat is nothing else, a control datagram goes on with
// its sender and a sealed body. The package is pure: bytes in, a value out, and never
// a panic. Numbers are little-endian, as SipHash reads them.
//
// Nothing here may be called concurrently on one value.
package wire

import "errors"

// Why a datagram is refused. Callers count by these.
var (
	ErrTruncated = errors.New("truncated")
	ErrMalformed = errors.New("malformed")
	ErrVersion   = errors.New("unknown version")
	ErrKey       = errors.New("unknown key")
	ErrForged    = errors.New("forged")
	ErrReplayed  = errors.New("replayed")
)

// ErrTooLong says that a message does not fit one datagram.
var ErrTooLong = errors.New("message is too long for a datagram")
