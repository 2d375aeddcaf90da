package value

import "strings"

// ToPlace converts a place on Earth to the text "latitude,longitude", in degrees
// with all their digits: from such a text, from a list of the two numbers, or
// from a map with the keys lat and lon (or lng, latitude, longitude). Anything
// else, and degrees that there are not, is NULL.
func ToPlace(v Value) Value {
	var latitude, longitude Value
	switch v.kind {
	case String:
		first, second, ok := strings.Cut(v.str, ",")
		if !ok {
			return Value{}
		}
		latitude, longitude = OfString(first), OfString(second)
	case List:
		if len(v.List()) != 2 {
			return Value{}
		}
		latitude, longitude = v.List()[0], v.List()[1]
	case Map:
		latitude, longitude = firstKey(v, "lat", "latitude"), firstKey(v, "lon", "lng", "longitude")
	}
	latitude, longitude = ToNumber(latitude), ToNumber(longitude)
	if !within(latitude, 90) || !within(longitude, 180) {
		return Value{}
	}
	return OfString(latitude.Text() + "," + longitude.Text())
}

func firstKey(m Value, keys ...string) Value {
	for _, k := range keys {
		if v := m.Lookup(k); !v.IsNull() {
			return v
		}
	}
	return Value{}
}

func within(degrees Value, most int64) bool {
	return !degrees.IsNull() && Compare(degrees, OfInt(most)) <= 0 && Compare(degrees, OfInt(-most)) >= 0
}
