package enroll

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what somebody may do.
type Role string

// Roles. A viewer reads; an operator also changes how Cassini works (the keys of rings);
// an admin also says who may do what. RoleAgent is that of a token with which hosts join,
// and of an agent by its certificate: it speaks for its own host and for nobody else.
const (
	RoleAgent    Role = "agent"
	RoleViewer   Role = "viewer"
	RoleOperator Role = "operator"
	RoleAdmin    Role = "admin"
)

// ranks are the roles of people and programs in the order of what they may do.
var ranks = []Role{RoleViewer, RoleOperator, RoleAdmin}

// Roles are all of them.
func Roles() []string {
	return []string{string(RoleAgent), string(RoleViewer), string(RoleOperator), string(RoleAdmin)}
}

// Includes says whether who has role r may do what asks for other. Agents are beside the
// others: neither includes the other.
func (r Role) Includes(other Role) bool {
	if r == RoleAgent || other == RoleAgent {
		return r == other
	}
	return slices.Index(ranks, r) >= slices.Index(ranks, other) && slices.Contains(ranks, other)
}

func (r Role) check() error {
	if slices.Contains(Roles(), string(r)) {
		return nil
	}
	return fmt.Errorf("role %q: %w: want one of %s", r, ErrInvalid, strings.Join(Roles(), ", "))
}

// Who is somebody who proved it: an agent, or the holder of a token.
type Who struct {
	Role  Role
	Host  string // of an agent
	Token string // identifier of the token of another
}

// String is for logs.
func (w Who) String() string {
	if w.Role == RoleAgent {
		return "agent of " + w.Host
	}
	return fmt.Sprintf("%s (token %s)", w.Role, w.Token)
}
