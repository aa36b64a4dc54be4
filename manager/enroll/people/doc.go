// Package people tells what a person or a program may do by the names in a certificate that
// another authority gave: rules turn them into a role and a tenant. It is pure, and safe
// for concurrent use.
package people

import "errors"

// ErrRule says that a rule cannot be used, ErrNobody that a certificate is nobody's by the
// rules.
var (
	ErrRule   = errors.New("not a rule")
	ErrNobody = errors.New("nobody by the rules")
)
