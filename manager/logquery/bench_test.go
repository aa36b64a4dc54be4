package logquery

import (
	"fmt"
	"testing"
)

// BenchmarkGroup is the question of the documentation over 20,000 documents, of which
// half match.
func BenchmarkGroup(b *testing.B) {
	q, err := Compile(Question{Where: `package == "heartbeat"`, GroupBy: "host", Aggregate: "avg(rtt), p99(rtt)"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		records := make([]*Record, 20_000)
		for i := range records {
			records[i] = document(i, fmt.Sprint("h", i%100), []string{"heartbeat", "listeners"}[i%2], "", `{"rtt": 17, "exe": "/usr/sbin/sshd", "cmdline": ["sshd", "-D"], "port": 22}`)
		}
		b.StartTimer()
		if _, err := q.Run(b.Context(), Source{Records: of(records)}, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
