// Package identify tells whose agent a certificate of an outside authority is of, by rules
// that an admin writes: a SPIFFE ID (https://github.com/spiffe/spiffe, X.509-SVID), or a DNS
// name, with places for the host and the tenant. It is pure. That the certificate is good
// is for others to see.
package identify

import "errors"

// ErrRule says that a rule cannot be used; ErrNobody that a certificate is of no agent by
// any rule. Errors that wrap these say why.
var (
	ErrRule   = errors.New("not a rule")
	ErrNobody = errors.New("of no agent that is known")
)
