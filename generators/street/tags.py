"""Semantic tags, numbered as CARLA numbers them, so that its records and these frames agree."""

ROADS, SIDEWALKS, BUILDING, POLE, SIGN, VEGETATION = 1, 2, 3, 6, 8, 9
TERRAIN, SKY, PEDESTRIAN, CAR, STATIC, ROAD_LINE = 10, 11, 12, 14, 20, 24
