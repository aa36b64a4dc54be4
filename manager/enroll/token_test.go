package enroll

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTokenRequests(t *testing.T) {
	for name, tc := range map[string]struct {
		r    TokenRequest
		want error
	}{
		"join":               {TokenRequest{Role: RoleAgent}, nil},
		"join, many":         {TokenRequest{Role: RoleAgent, Limit: 500, Life: time.Hour, Label: "rack 7"}, nil},
		"join, one host":     {TokenRequest{Role: RoleAgent, Host: "web-17"}, nil},
		"viewer":             {TokenRequest{Role: RoleViewer}, nil},
		"no role":            {TokenRequest{}, ErrInvalid},
		"another role":       {TokenRequest{Role: "root"}, ErrInvalid},
		"life below zero":    {TokenRequest{Role: RoleViewer, Life: -1}, ErrInvalid},
		"life of a century":  {TokenRequest{Role: RoleViewer, Life: 100 * 365 * 24 * time.Hour}, ErrInvalid},
		"labels":             {TokenRequest{Role: RoleAgent, Labels: map[string]string{"rack": "7", "cost-center": "a b"}}, nil},
		"viewer with labels": {TokenRequest{Role: RoleViewer, Labels: map[string]string{"rack": "7"}}, ErrInvalid},
		"label with a space": {TokenRequest{Role: RoleAgent, Labels: map[string]string{"my rack": "7"}}, ErrInvalid},
		"label of nothing":   {TokenRequest{Role: RoleAgent, Labels: map[string]string{"rack": ""}}, ErrInvalid},
		"value of two lines": {TokenRequest{Role: RoleAgent, Labels: map[string]string{"rack": "7\n8"}}, ErrInvalid},
		"many labels":        {TokenRequest{Role: RoleAgent, Labels: manyLabels(maxLabels + 1)}, ErrInvalid},
		"viewer with limit":  {TokenRequest{Role: RoleViewer, Limit: 1}, ErrInvalid},
		"viewer with host":   {TokenRequest{Role: RoleViewer, Host: "web-17"}, ErrInvalid},
		"negative limit":     {TokenRequest{Role: RoleAgent, Limit: -1}, ErrInvalid},
		"enormous limit":     {TokenRequest{Role: RoleAgent, Limit: maxUses + 1}, ErrInvalid},
		"bad host":           {TokenRequest{Role: RoleAgent, Host: "a/b"}, ErrInvalid},
		"label with newline": {TokenRequest{Role: RoleAgent, Label: "a\nb"}, ErrInvalid},
		"long label":         {TokenRequest{Role: RoleAgent, Label: strings.Repeat("x", maxLabel+1)}, ErrInvalid},
	} {
		if _, _, err := newToken(tc.r, start); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

func manyLabels(n int) map[string]string {
	labels := make(map[string]string)
	for i := range n {
		labels[strings.Repeat("k", i+1)] = "v"
	}
	return labels
}

func TestBearer(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	other := open(t, t.TempDir(), start)
	viewer := token(t, a, TokenRequest{Role: RoleViewer, Life: time.Hour}, start)
	revoked, record, err := a.CreateToken(TokenRequest{Role: RoleAdmin}, start)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.RevokeToken(record.ID, start); err != nil {
		t.Fatal(err)
	}
	local, err := os.ReadFile(filepath.Join(dir, TokenFile))
	if err != nil {
		t.Fatal(err)
	}
	changed := []byte(viewer)
	changed[len(changed)-70] ^= 1 // in the secret
	for name, tc := range map[string]struct {
		text string
		at   time.Duration
		role Role
		want error
	}{
		"viewer":          {viewer, 0, RoleViewer, nil},
		"until its end":   {viewer, time.Hour - 1, RoleViewer, nil},
		"at its end":      {viewer, time.Hour, "", ErrExpired},
		"this machine's":  {strings.TrimSpace(string(local)), 20 * 365 * 24 * time.Hour, RoleAdmin, nil},
		"revoked":         {revoked, 0, "", ErrRevoked},
		"for joining":     {token(t, a, TokenRequest{Role: RoleAgent}, start), 0, "", ErrForbidden},
		"another secret":  {string(changed), 0, "", ErrUnknown},
		"another manager": {token(t, other, TokenRequest{Role: RoleAdmin}, start), 0, "", ErrUnknown},
		"nothing":         {"", 0, "", ErrUnknown},
		"a word":          {"letmein", 0, "", ErrUnknown},
		"cut off":         {viewer[:40], 0, "", ErrUnknown},
	} {
		who, err := a.Bearer(tc.text, start.Add(tc.at))
		if !errors.Is(err, tc.want) || who.Role != tc.role {
			t.Errorf("%s: got %v, %v", name, who, err)
		}
	}
}

func TestRolesInclude(t *testing.T) {
	for _, tc := range []struct {
		has, asks Role
		want      bool
	}{
		{RoleViewer, RoleViewer, true}, {RoleViewer, RoleOperator, false}, {RoleOperator, RoleViewer, true}, {RoleOperator, RoleAdmin, false},
		{RoleAdmin, RoleOperator, true}, {RoleAdmin, RoleAgent, false}, {RoleAgent, RoleViewer, false}, {RoleAgent, RoleAgent, true},
		{"", RoleViewer, false}, {RoleAdmin, "", false}, {"x", "x", false},
	} {
		if got := tc.has.Includes(tc.asks); got != tc.want {
			t.Errorf("%q of %q: got %v", tc.asks, tc.has, got)
		}
	}
}

// TestTokensAreBoundedAndKept looks at what is on disk: no secret, and not for ever.
func TestTokensAreBoundedAndKept(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	text := token(t, a, TokenRequest{Role: RoleViewer, Life: time.Hour}, start)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	_, secret, _ := parseToken(text)
	raw, err := os.ReadFile(filepath.Join(dir, StateFile))
	if err != nil || strings.Contains(string(raw), secret) {
		t.Errorf("%v, or the secret is on disk", err)
	}
	for name, mode := range map[string]os.FileMode{StateFile: 0o600, CAFile: 0o600, TokenFile: 0o600, CertFile: 0o644} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	a = open(t, dir, start)
	if _, err := a.Bearer(text, start); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if n := len(a.Tokens()); n != 2 {
		t.Errorf("%d tokens, want this one and this machine's", n)
	}
	a.cfg.Hold = func() bool { return true } // the clock may be wrong
	token(t, a, TokenRequest{Role: RoleViewer}, start.AddDate(2, 0, 0))
	if _, err := a.Bearer(text, start); errors.Is(err, ErrUnknown) {
		t.Errorf("a token was forgotten while the clock may be wrong: %v", err)
	}
	a.cfg.Hold = nil
	token(t, a, TokenRequest{Role: RoleViewer}, start.Add(keepDead+2*time.Hour))
	if _, err := a.Bearer(text, start); !errors.Is(err, ErrUnknown) {
		t.Errorf("a dead token is still there: %v", err)
	}
	for i := len(a.tokens); i < maxTokens; i++ {
		id := random(idSize)
		a.tokens[id] = Token{ID: id, Role: RoleViewer, Expires: start.Add(1 << 60)}
	}
	if _, _, err := a.CreateToken(TokenRequest{Role: RoleViewer}, start); !errors.Is(err, ErrFull) {
		t.Errorf("one more than fits: %v", err)
	}
	if err := a.RevokeToken("nonsense", start); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

// Tokens for joining by which nobody can join any more do not fill the store, however many
// are made: a machine that comes and goes may have one each time.
func TestSpentTokensAreForgotten(t *testing.T) {
	a := open(t, t.TempDir(), start)
	now := start
	issue := func(r TokenRequest, change func(*Token)) Token {
		t.Helper()
		now = now.Add(time.Second)
		_, made, err := a.CreateToken(r, now)
		if err != nil {
			t.Fatal(err)
		}
		kept := a.tokens[made.ID]
		change(&kept)
		a.tokens[made.ID] = kept
		return kept
	}
	unused := issue(TokenRequest{Role: RoleAgent}, func(*Token) {})
	viewer := issue(TokenRequest{Role: RoleViewer}, func(k *Token) { k.Revoked = now })
	var first, last Token
	for i := range maxSpent + 50 {
		last = issue(TokenRequest{Role: RoleAgent}, [...]func(*Token){
			func(k *Token) { k.Uses = k.Limit },
			func(k *Token) { k.Revoked = now },
			func(k *Token) { k.Expires = now },
		}[i%3])
		if i == 0 {
			first = last
		}
	}
	issue(TokenRequest{Role: RoleViewer}, func(*Token) {})
	spent := a.having(func(k Token) bool { return k.spent(now) })
	if len(spent) != maxSpent {
		t.Errorf("%d are kept, want %d", len(spent), maxSpent)
	}
	for id, want := range map[string]bool{first.ID: false, last.ID: true, unused.ID: true, viewer.ID: true} {
		if _, there := a.tokens[id]; there != want {
			t.Errorf("%+v: kept is %v, want %v", a.tokens[id], there, want)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("cassini_agent_0123456789_x_y")
	f.Fuzz(func(t *testing.T, text string) {
		id, secret, err := parseToken(text)
		if err == nil && (len(id) != 2*idSize || len(secret) != 2*secretSize) {
			t.Errorf("%q gives %q, %q", text, id, secret)
		}
	})
}
