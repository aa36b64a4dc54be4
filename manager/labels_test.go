package manager

import (
	"encoding/json"
	"testing"
	"time"

	"cassini/manager/enroll"
	"cassini/model"
)

// TestLabelsOfTokens lets hosts join with labels, renew, and join anew with others: their
// nodes have what the last token says, and had what one before said.
func TestLabelsOfTokens(t *testing.T) {
	e := newEstate(t)
	rack := func(at time.Time) (label any) {
		t.Helper()
		g, err := e.Graph(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(g.Labels()["core-1"])
		if err != nil {
			t.Fatal(err)
		}
		var l model.HostLabels
		if err := json.Unmarshal(raw, &l); err != nil {
			t.Fatal(err)
		}
		return l.Labels["owner"]
	}
	if got := rack(time.Time{}); got != "'s" {
		t.Fatalf("got %v", got)
	}
	before := e.graph.Stats().Documents
	e.tellLabels(t.Context())
	if now := e.graph.Stats().Documents; now != before {
		t.Errorf("what is known was told again: %d documents", now-before)
	}
	was := time.Now()
	text := e.token(enroll.TokenRequest{Role: enroll.RoleAgent, Host: "core-1", Labels: map[string]string{"owner": "next"}})
	if _, err := e.enroll.Join(text, enroll.JoinRequest{Host: "core-1", Request: requestOf(t)}, time.Now()); err != nil {
		t.Fatal(err)
	}
	e.tellLabels(t.Context())
	if now, past := rack(time.Time{}), rack(was); now != "next" || past != "'s" {
		t.Errorf("now %v, before %v", now, past)
	}
	text = e.token(enroll.TokenRequest{Role: enroll.RoleAgent, Host: "core-1"})
	if _, err := e.enroll.Join(text, enroll.JoinRequest{Host: "core-1", Request: requestOf(t)}, time.Now()); err != nil {
		t.Fatal(err)
	}
	e.tellLabels(t.Context())
	if _, has := e.graph.Labels()["core-1"]; has {
		t.Error("it has labels of an older token")
	}
}
