mod duplicates;
mod judge;
mod pairs;
mod seed;
