package model

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestHashTellsApart(t *testing.T) {
	a := Document{Name: Name{Host: "h", Package: "p", Key: "k"}, Time: time.Unix(1, 0), Body: json.RawMessage(`{"a":1}`)}
	h := HashOf(a)
	for name, change := range map[string]func(*Document){
		"package": func(d *Document) { d.Package = "q" },
		"key":     func(d *Document) { d.Key = "" },
		"body":    func(d *Document) { d.Body = json.RawMessage(`{"a":2}`) },
		"border":  func(d *Document) { d.Package, d.Key = "pk", "" },
	} {
		b := a
		change(&b)
		if HashOf(b) == h {
			t.Errorf("another %s is the same", name)
		}
	}
	same := a
	same.Time, same.Progress, same.Host = time.Unix(2, 0), true, "other"
	if HashOf(same) != h {
		t.Error("when and of which host it was learnt is in the hash")
	}
}

// TestDigestOfASet builds sets in several orders.
func TestDigestOfASet(t *testing.T) {
	hashes := make([]Hash, 5)
	for i := range hashes {
		hashes[i] = HashOf(Document{Name: Name{Package: "p"}, Body: json.RawMessage{byte('0' + i)}})
	}
	var forth, back, none Digest
	for i := range hashes {
		forth.Add(hashes[i])
		back.Add(hashes[len(hashes)-1-i])
	}
	if forth != back || forth.Documents != 5 || forth.Sum == (Hash{}) {
		t.Errorf("%+v and %+v", forth, back)
	}
	for _, h := range hashes {
		back.Remove(h)
	}
	if back != none {
		t.Errorf("emptied, it is %+v", back)
	}
}

// TestBodiesAreNotEncodedAnew: what NewDocument makes goes over the wire as it is, or hashes
// would differ where nothing does.
func TestBodiesAreNotEncodedAnew(t *testing.T) {
	doc, err := NewDocument(Name{Host: "h", Package: "p"}, time.Unix(1, 0), map[string]any{
		"<a&b>": "\u2028 <script> \xff", "n": uint64(1<<63 + 1), "f": 1e21, "z": nil, "r": json.RawMessage(" [1, 2] "),
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var back Document
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if string(back.Body) != string(doc.Body) || HashOf(back) != HashOf(doc) {
		t.Errorf("%s became %s", doc.Body, back.Body)
	}
}

func FuzzHashText(f *testing.F) {
	f.Add("AAAAAAAAAAAAAAAAAAAAAA")
	f.Add(strings.Repeat("_", 22))
	f.Add("\n\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		var h Hash
		if h.UnmarshalText([]byte(text)) != nil {
			return
		}
		if back, err := h.MarshalText(); err != nil || string(back) != text {
			t.Errorf("%q became %q, %v", text, back, err)
		}
	})
}
