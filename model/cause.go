package model

import "time"

// Diagnosis is what explains the symptoms of an estate.
type Diagnosis struct {
	Since    time.Time `json:"since"` // failures of connections count from then on
	Symptoms []Symptom `json:"symptoms"`
	// Explanations are the likeliest first. Each one explains as much as can be by as few
	// failures as that takes.
	Explanations []Explanation `json:"explanations"`
	// Note tells people where less than everything was looked at.
	Note string `json:"note,omitempty"`
}

// Symptom is something that is not as it should be.
type Symptom struct {
	Node string `json:"node"`
	What string `json:"what"` // for people
}

// Explanation is a set of failures that together explain symptoms.
type Explanation struct {
	Causes   []Cause  `json:"causes"`
	Explains []string `json:"explains"` // nodes of symptoms
	// Score is between 0 and 1: the share of symptoms that are explained, less for
	// victims that are well, and for causes that nobody says are ill. It orders, and is
	// no probability.
	Score float64 `json:"score"`
}

// Cause is one failure, with what speaks for it and against it.
type Cause struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind"`
	Explains []string `json:"explains"`
	Victims  int      `json:"victims"` // that its failure would take along
	For      []string `json:"for"`     // for people
	Against  []string `json:"against,omitempty"`
}
