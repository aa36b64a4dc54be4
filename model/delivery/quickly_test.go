package delivery

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

// written are bodies as agents write them.
func written(t testing.TB) (bodies []string) {
	t.Helper()
	at := time.Date(2026, 11, 21, 14, 0, 0, 123, time.UTC)
	docs := []model.Document{
		{Name: model.Name{Host: "web-17", Package: model.PackageListeners, Key: "tcp6/:::/22"}, Time: at, Body: json.RawMessage(`{"proto":"tcp6","a":[1,-2.5e+3,true,null,"ä\u003c\n",{}],"b":{"c":[]}}`)},
		{Name: model.Name{Host: "web-17", Package: model.PackageDependencies, Key: `out/usr/bin/"x"->10.0.0.1:443/tcp`}, Time: at, Progress: true, Body: json.RawMessage("null")},
		{Name: model.Name{Host: "web-17", Package: model.PackageOS}, Time: at.In(time.FixedZone("", 3600)), Body: json.RawMessage("7")},
	}
	for _, v := range []any{
		Body{Host: "web-17", Position: model.Position{Incarnation: 1 << 60, Sequence: 3}, Documents: docs},
		Body{Host: "web-17", Position: model.Position{Incarnation: 1, Sequence: 3}, Documents: docs[:1], Check: &model.Check{Rule: 1, Wanted: true}},
		Body{Host: "web-17", Documents: []model.Document{}},
		Body{Host: "web-17"},
		map[string]any{"host": "web-17", "documents": docs},
	} {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(raw))
	}
	return bodies
}

// TestQuickly reads what agents write without encoding/json.
func TestQuickly(t *testing.T) {
	for _, raw := range written(t) {
		var want Body
		if err := json.Unmarshal([]byte(raw), &want); err != nil {
			t.Fatal(err)
		}
		if got, ok := quickly([]byte(raw), true); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", raw, ok, got, want)
		}
	}
}

// TestLeftToOthers: encoding/json says what is wrong, or takes what is unusual.
func TestLeftToOthers(t *testing.T) {
	for _, raw := range []string{
		``, `null`, `[]`, `{`, `{}x`, ` {}`, `{"Host":"a"}`, `{"host":"a","host":"b"}`, `{"more":1}`, `{"host":"\ud83d\ude00"}`, `{"host":"\u12"}`, `{"host":"\q"}`, "{\"host\":\"\xff\"}", `{"host":null}`,
		`{"sequence":-1}`, `{"sequence":1.0}`, `{"documents":{}}`, `{"documents":[null]}`, `{"documents":[{}`, `{"documents":[{},]}`, `{"documents":[],"documents":[]}`, `{"check":[]}`,
		`{"documents":[{"body":1,"body":2}]}`, `{"documents":[{"Body":1}]}`, `{"documents":[{"body":}]}`, `{"documents":[{"body":nul}]}`, `{"documents":[{"body":01}]}`, `{"documents":[{"body":1.}]}`, `{"documents":[{"body":-}]}`,
		`{"documents":[{"body":1e}]}`, `{"documents":[{"body":{"a"}}]}`, `{"documents":[{"body":{"a":1,}}]}`, `{"documents":[{"body":[1,]}]}`, `{"documents":[{"body":"\u00g0"}]}`, "{\"documents\":[{\"body\":\"\n\"}]}",
		`{"documents":[{"body":"\x"}]}`, `{"documents":[{"body": 1}]}`, `{"documents":[{"time":"noon"}]}`, `{"documents":[{"body":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}]}`,
	} {
		if b, ok := quickly([]byte(raw), true); ok {
			t.Errorf("%s was taken for %+v", raw, b)
		}
	}
	if b, ok := quickly([]byte(`{"host":"a","sequence":"x"}`), false); ok {
		t.Errorf("a field of another body was taken for %+v", b)
	}
	if b, err := DecodeUnnumbered([]byte(`{"host":"a","sequence":"x","documents":[]}`)); err != nil || b.Host != "a" {
		t.Errorf("%+v, %v", b, err)
	}
}

// FuzzDecode holds that what is read quickly is what encoding/json reads.
func FuzzDecode(f *testing.F) {
	for _, raw := range written(f) {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got, ok := quickly(raw, true); ok {
			var want Body
			if err := json.Unmarshal(raw, &want); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q: %v\n got %+v\nwant %+v", raw, err, got, want)
			}
		}
		if got, ok := quickly(raw, false); ok {
			var want UnnumberedBody
			if err := json.Unmarshal(raw, &want); err != nil || !reflect.DeepEqual(got, Body{Host: want.Host, Documents: want.Documents}) {
				t.Errorf("%q without numbers: %v\n got %+v\nwant %+v", raw, err, got, want)
			}
		}
	})
}

// TestTooMany: documents beyond the bound get no memory, however the body is written. These
// would take 100 MiB and more.
func TestTooMany(t *testing.T) {
	list := func(before, doc string, n int) []byte {
		return []byte(before + `{"host":"web-17","documents":[` + strings.Repeat(doc+",", n-1) + doc + `]}`)
	}
	for name, decode := range map[string]func([]byte) (Body, error){"numbered": Decode, "unnumbered": DecodeUnnumbered} {
		for _, before := range []string{"", " "} { // read quickly, and by encoding/json
			if b, err := decode(list(before, "{}", MaxDocuments)); err != nil || len(b.Documents) != MaxDocuments {
				t.Errorf("%s: as many as are taken became %d, %v", name, len(b.Documents), err)
			}
			for _, doc := range []string{"{}", "null"} {
				raw := list(before, doc, 300_000)
				var err error
				took := allocated(func() { _, err = decode(raw) })
				if !errors.Is(err, ErrTooMany) || took > 16<<20 {
					t.Errorf("%s: %q over and over took %d bytes: %v", name, before+doc, took, err)
				}
			}
		}
	}
}

// allocated is how many bytes a function asks for, with what it lets go again.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// FuzzSlowly holds that documents are counted without being read otherwise.
func FuzzSlowly(f *testing.F) {
	for _, raw := range written(f) {
		f.Add([]byte(raw))
	}
	f.Add([]byte(`{"documents":[{},null,{"Host":"a","HOST":"b"}],"more":[]}`))
	f.Add([]byte(`{"host":"a","documents":null,"Documents":[{"body":[1, 2]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var want Body
		if bytes.Count(bytes.ToLower(raw), []byte("documents")) > 1 {
			return // encoding/json lets what came first shine through
		}
		failed := json.Unmarshal(raw, &want) != nil
		if got, err := Decode(raw); (err != nil) != failed || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v\n got %+v\nwant %+v", raw, err, got, want)
		}
	})
}

// BenchmarkDecode reads a delivery of twenty documents.
func BenchmarkDecode(b *testing.B) {
	at := time.Date(2026, 11, 21, 14, 0, 0, 123, time.UTC)
	var body Body
	for range 20 {
		body.Documents = append(body.Documents, model.Document{
			Name: model.Name{Host: "web-17", Package: model.PackageDependencies, Key: "out/usr/bin/curl/10.0.0.1->10.0.0.2:443/tcp"}, Time: at,
			Body: json.RawMessage(`{"direction":"out","proto":"tcp","client_addr":"10.0.0.1","server_addr":"10.0.0.2","port":443,"pid":7,"exe":"/usr/bin/curl","cmdline":["/usr/bin/curl","--config","/etc/curl.conf"],"uid":"root","gid":"root","connections":1,"attempts":1,"first_seen":"2026-11-20T19:00:00Z","last_seen":"2026-11-20T19:00:00Z"}`),
		})
	}
	raw, err := json.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}
	for name, decode := range map[string]func() bool{
		"quickly":       func() bool { _, ok := quickly(raw, true); return ok },
		"encoding/json": func() bool { var body Body; return json.Unmarshal(raw, &body) == nil },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if !decode() {
					b.Fatal("not decoded")
				}
			}
		})
	}
}
