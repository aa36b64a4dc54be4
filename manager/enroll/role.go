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

// Who is somebody who proved it: an agent, or a person or program by a token, a certificate
// or a password.
type Who struct {
	Role Role
	Host string // of an agent
	// Outside says that another authority gave an agent its certificate, and with it its name.
	Outside bool
	// Tenant is whose hosts a person or program sees; "" is all.
	Tenant string
	Token  string // identifier of the token that was shown
	// Certificate is the identifier of the certificate of this authority that was shown, or
	// the name in that of another; User who gave a password.
	Certificate string
	User        string
}

// Shows is what was shown: a token, a certificate or a password.
func (w Who) Shows() string {
	switch {
	case w.Role == RoleAgent, w.Certificate != "":
		return "certificate"
	case w.User != "":
		return "password"
	}
	return "token"
}

// String is for logs.
func (w Who) String() string {
	if w.Role == RoleAgent {
		return "agent of " + w.Host
	}
	text := string(w.Role)
	if w.Tenant != "" {
		text += " of tenant " + w.Tenant
	}
	switch w.Shows() {
	case "certificate":
		return fmt.Sprintf("%s (certificate %s)", text, w.Certificate)
	case "password":
		return fmt.Sprintf("%s (user %s)", text, w.User)
	}
	return fmt.Sprintf("%s (token %s)", text, w.Token)
}
