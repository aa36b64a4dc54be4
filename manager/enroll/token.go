package enroll

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Bounds of tokens.
const (
	maxTokens  = 10_000
	maxSpent   = 500 // of these for joining by which nobody can join any more
	maxLife    = 10 * 365 * 24 * time.Hour
	maxUses    = 100_000
	maxLabel   = 200                // bytes
	keepDead   = 7 * 24 * time.Hour // how long a dead token is still listed
	secretSize = 24
	idSize     = 5
	pinSize    = 16 // digits of the authority's hash that are kept
	tokenStart = "cassini"
)

// Token is what is kept of a token: its secret only as a hash.
type Token struct {
	ID    string `json:"id"`
	Role  Role   `json:"role"`
	Label string `json:"label,omitempty"`
	// Labels are pairs of a key and a value that a host gets which joins by it.
	Labels  map[string]string `json:"labels,omitempty"`
	Host    string            `json:"host,omitempty"`   // for joining: only this host
	Tenant  string            `json:"tenant,omitempty"` // whose hosts join by it, or are seen by it; "" is the whole estate
	Created time.Time         `json:"created"`
	Expires time.Time         `json:"expires,omitzero"` // zero: never
	Limit   int               `json:"limit,omitempty"`  // hosts that may join by it
	Uses    int               `json:"uses,omitempty"`   // hosts that did
	Revoked time.Time         `json:"revoked,omitzero"`
	Pin     string            `json:"pin,omitempty"`  // how the hash of the authority in its text begins
	Hash    string            `json:"hash,omitempty"` // SHA-256 of the secret; left out of lists
	// Serial and Key are of the certificate that is shown instead of a secret, where there is
	// one: its serial number, and the SHA-256 of its public key.
	Serial string `json:"serial,omitempty"`
	Key    string `json:"key,omitempty"`
}

// TokenRequest asks for a token.
type TokenRequest struct {
	Role   Role
	Label  string
	Labels map[string]string // what hosts get which join by it: see Record
	Host   string
	Tenant string        // whose hosts join by it, or whose are seen by it
	Life   time.Duration // 0: a day for joining, 90 days for others
	Limit  int           // 0: one host
}

func (r *TokenRequest) settle() error {
	if err := r.Role.check(); err != nil {
		return err
	}
	if err := checkTenant(r.Tenant); err != nil {
		return err
	}
	if err := checkLabels(r.Labels); err != nil {
		return err
	}
	switch joins := r.Role == RoleAgent; {
	case joins && r.Life == 0:
		r.Life = 24 * time.Hour
	case r.Life == 0:
		r.Life = 90 * 24 * time.Hour
	}
	if r.Role == RoleAgent && r.Limit == 0 {
		r.Limit = 1
	}
	switch {
	case r.Life < 0 || r.Life > maxLife:
		return fmt.Errorf("life %v: %w: want up to %v", r.Life, ErrInvalid, maxLife)
	case r.Role != RoleAgent && (r.Limit != 0 || r.Host != "" || len(r.Labels) > 0):
		return fmt.Errorf("token of a %s: %w: a limit, a host and its labels are for role agent, by which hosts join", r.Role, ErrInvalid)
	case r.Role == RoleAdmin && r.Tenant != "":
		return fmt.Errorf("token of an admin of tenant %s: %w: admins are of the whole estate; want viewer, operator or agent", r.Tenant, ErrInvalid)
	case r.Limit < 0 || r.Limit > maxUses:
		return fmt.Errorf("limit %d: %w: want 1 to %d hosts", r.Limit, ErrInvalid, maxUses)
	case len(r.Label) > maxLabel || strings.ContainsFunc(r.Label, unicode.IsControl):
		return fmt.Errorf("label: %w: want up to %d bytes without control characters", ErrInvalid, maxLabel)
	case r.Host != "":
		return checkID(r.Host)
	}
	return nil
}

// newToken makes a token and the secret that is not kept.
func newToken(r TokenRequest, now time.Time) (Token, string, error) {
	if err := r.settle(); err != nil {
		return Token{}, "", err
	}
	secret := random(secretSize)
	t := Token{ID: random(idSize), Role: r.Role, Label: r.Label, Labels: maps.Clone(r.Labels), Host: r.Host, Tenant: r.Tenant, Created: wall(now), Expires: wall(now).Add(r.Life), Limit: r.Limit, Hash: hash(secret)}
	return t, secret, nil
}

func random(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails: it ends the program first
	return hex.EncodeToString(raw)
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret)) // of 192 random bits: nothing slower is needed
	return hex.EncodeToString(sum[:])
}

// text is what people are given: cassini_ROLE_ID_SECRET_PIN. The pin is the hash of the
// authority that the manager shows, so that the token alone tells the right manager.
func (t Token) text(secret, pin string) string {
	return strings.Join([]string{tokenStart, string(t.Role), t.ID, secret, pin}, "_")
}

// TokenID is the identifier in a token's text, of which nothing is checked; "" where there
// is none.
func TokenID(text string) string {
	id, _, err := parseToken(text)
	if err != nil || !tokenID.MatchString(id) {
		return ""
	}
	return id
}

// tokenID is what identifiers look like.
var tokenID = regexp.MustCompile(`^[0-9a-f]+$`)

// parseToken takes a token's text apart. Who made it up gets ErrUnknown.
func parseToken(text string) (id, secret string, err error) {
	parts := strings.Split(text, "_")
	if len(parts) != 5 || parts[0] != tokenStart || len(parts[2]) != 2*idSize || len(parts[3]) != 2*secretSize {
		return "", "", fmt.Errorf("token: %w: it is not of the form %s_ROLE_ID_SECRET_PIN; was it copied whole?", ErrUnknown, tokenStart)
	}
	return parts[2], parts[3], nil
}

// valid says whether the secret opens the token at a moment. Uses are not looked at.
func (t Token) valid(secret string, now time.Time) error {
	switch {
	case subtle.ConstantTimeCompare([]byte(hash(secret)), []byte(t.Hash)) != 1:
		return fmt.Errorf("token %s: %w: its secret is another; was it copied whole?", t.ID, ErrUnknown)
	case !t.Revoked.IsZero():
		return fmt.Errorf("token %s: %w at %s; ask an admin for another", t.ID, ErrRevoked, stamp(t.Revoked))
	case t.ended(now):
		return fmt.Errorf("token %s: %w at %s; ask an admin for another", t.ID, ErrExpired, stamp(t.Expires))
	}
	return nil
}

func (t Token) ended(now time.Time) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }

// joins says whether one host more may join by a token that is valid.
func (t Token) joins(host string) error {
	switch {
	case t.Role != RoleAgent:
		return fmt.Errorf("token %s: %w: it is that of a %s; hosts join by one of role agent", t.ID, ErrForbidden, t.Role)
	case t.Host != "" && t.Host != host:
		return fmt.Errorf("token %s: %w: it is for host %s alone, not for %s", t.ID, ErrForbidden, t.Host, host)
	case t.Uses >= t.Limit:
		return fmt.Errorf("token %s: %w: %d of %d hosts joined by it; ask an admin for another", t.ID, ErrUsedUp, t.Uses, t.Limit)
	}
	return nil
}

// spent says that nobody can join by a token any more that was for joining.
func (t Token) spent(now time.Time) bool {
	return t.Role == RoleAgent && (!t.Revoked.IsZero() || t.ended(now) || t.Uses >= t.Limit)
}

// forgotten says that a token has been dead for long enough not to be listed.
func (t Token) forgotten(now time.Time) bool {
	return !t.Revoked.IsZero() && now.Sub(t.Revoked) > keepDead || t.ended(now.Add(-keepDead))
}

// wall is a moment as the wall has it, to be compared with others later: without the reading
// of the clock that stands still while a machine sleeps.
func wall(now time.Time) time.Time { return now.UTC().Round(0) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
