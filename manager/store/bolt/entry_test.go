package bolt

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"cassini/manager/store"
	"cassini/model"
)

func entriesToTry() []model.Document {
	at := time.Date(2026, 11, 20, 19, 26, 3, 120000000, time.UTC)
	name := model.Name{Host: "web-17", Package: "dependencies", Key: "out/usr/bin/curl/10.0.0.1->10.0.0.2:80/tcp"}
	return []model.Document{
		{Name: name, Time: at, Body: json.RawMessage(`{"a":[1,"}\n"],"b":null}`)},
		{Name: name, Time: at, Progress: true, Body: json.RawMessage(`7`)},
		{Name: name, Time: at.In(time.FixedZone("", 3600)), Body: json.RawMessage(` {"a": 1} `)},
		{Name: model.Name{Host: "wéb", Package: `a"b\c`, Key: "<&>\u2028"}, Time: at, Body: json.RawMessage(`"x"`)},
		{Name: model.Name{Host: "h", Package: "p"}, Time: at},
		{Name: model.Name{Host: "h", Package: "p"}, Time: at, Body: json.RawMessage(`null`)},
	}
}

func encoded(prev store.Key, d model.Document) ([]byte, error) { return appendEntry(nil, prev, &d) }

// TestEntry decodes what it encodes, as encoding/json does, and most of it without.
func TestEntry(t *testing.T) {
	for i, d := range entriesToTry() {
		v, err := encoded("before", d)
		if err != nil {
			t.Fatal(err)
		}
		if prevOf(v) != "before" || !bytes.HasSuffix(v, []byte("}\n")) || bytes.Count(v, []byte("\n")) != 2+bytes.Count(d.Body, []byte("\n")) {
			t.Errorf("%q", v)
		}
		sameAsJSON(t, v)
		e, err := decodeEntry([]byte("k"), v)
		if err != nil || e.Document.Name != d.Name || !e.Document.Time.Equal(d.Time) || e.Document.Progress != d.Progress || e.Document.Gone() != d.Gone() {
			t.Errorf("%q became %+v, %v", v, e.Document, err)
		}
		var fast model.Document
		if ok := decodePlain(v[len("before\n"):], &fast); ok != (i == 0 || i == 1 || i == 3) {
			t.Errorf("%q is plain: %v", v, ok)
		}
	}
	if _, err := encoded("", model.Document{Name: model.Name{Host: "h", Package: "p"}, Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Error("a year of five digits is encoded")
	}
}

// sameAsJSON compares decodePlain with encoding/json.
func sameAsJSON(t *testing.T, v []byte) {
	t.Helper()
	_, doc, _ := bytes.Cut(v, []byte("\n"))
	var fast, slow model.Document
	if !decodePlain(doc, &fast) {
		return
	}
	if err := json.Unmarshal(doc, &slow); err != nil {
		t.Fatalf("%q is taken, and encoding/json says %v", doc, err)
	}
	if !reflect.DeepEqual(fast, slow) {
		t.Errorf("%q became %+v, by encoding/json %+v", doc, fast, slow)
	}
}

func FuzzEntry(f *testing.F) {
	for _, d := range entriesToTry() {
		v, err := encoded("before", d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(v)
	}
	f.Add([]byte("\n" + `{"host":"h","package":"p","time":"2026-11-20T19:26:03Z","body":{},"host":"i"}` + "\n"))
	f.Add([]byte("\n" + `{"host":"h","package":"p","time":"2026-11-20T19:26:03Z","body":1,"Body":2}` + "\n"))
	f.Fuzz(func(t *testing.T, v []byte) {
		sameAsJSON(t, v)
		_, _ = decodeEntry(nil, v)
	})
}

// BenchmarkEntry encodes and decodes a dependency's document beside encoding/json.
func BenchmarkEntry(b *testing.B) {
	d := entriesToTry()[0]
	d.Body = json.RawMessage(`{"direction":"out","proto":"tcp","pid":7,"exe":"/usr/bin/curl","cmdline":["/usr/bin/curl","--config","/etc/curl.conf"],"uid":"root","gid":"root","uid_number":0,"gid_number":0,"cwd":"/","client_addr":"10.0.0.1","server_addr":"192.0.2.1","port":443,"netns":0,"connections":1,"attempts":1,"failed":0,"open":0,"bytes_sent":0,"bytes_received":0,"rtt_microseconds":0,"first_seen":"2026-11-20T19:00:00Z","last_seen":"2026-11-20T19:00:00Z","counting_since":"2026-11-20T19:00:00Z"}`)
	v, err := encoded("", d)
	if err != nil {
		b.Fatal(err)
	}
	var into model.Document
	head := d
	head.Body = nil // as it was encoded before, with the body behind it
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"encode", func() error { _, err := encoded("", d); return err }},
		{"encode the head by encoding json", func() error { _, err := json.Marshal(head); return err }},
		{"decode", func() error { _, err := decodeEntry(nil, v); return err }},
		{"decode by encoding json", func() error { return json.Unmarshal(v[1:], &into) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
